"""Files and long jobs."""

from stewardship.documents.models.blob import Blob as Blob
from stewardship.documents.models.job import Job as Job
from stewardship.documents.models.job import JobStatus as JobStatus
