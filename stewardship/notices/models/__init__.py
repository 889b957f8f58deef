"""Notices and the attempts to deliver them."""

from stewardship.notices.models.delivery import Delivery as Delivery
from stewardship.notices.models.notice import Channel as Channel
from stewardship.notices.models.notice import Notice as Notice
