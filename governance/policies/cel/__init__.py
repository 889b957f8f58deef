"""A subset of the Common Expression Language, with three-valued answers and a trace. Pure: no ORM, no clock, no I/O.

What differs from CEL, on purpose: a missing field or null is "not known" instead of an error; numbers are exact and of one
kind (7 / 2 is 3.5, since a stored 2.0 and 2 are the same number); comparing a number with a text is "not known" instead of
false, because `!=` would otherwise pass by accident; comparisons cannot be chained; there are no loops and no macros but has().
"""

from __future__ import annotations

from governance.policies.cel.errors import ExpressionError as ExpressionError
from governance.policies.cel.program import Clause as Clause
from governance.policies.cel.program import Outcome as Outcome
from governance.policies.cel.program import Program as Program
from governance.policies.cel.program import compile_expression as compile_expression
