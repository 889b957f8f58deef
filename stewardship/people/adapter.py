"""What allauth asks this installation: no sign-up, no system account, and every save has somebody who acts."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse

from stewardship.journal.acting import acting


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by people who manage people; nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        # SECURITY: the system account has no password, but no other way in may reach it either.
        if user.is_system:
            response: HttpResponse = self.respond_user_inactive(request, user)
            return response
        found: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return found

    def set_password(self, user: Any, password: str) -> None:
        with acting(user, "Password changed"):
            super().set_password(user, password)

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        # The person answers for their own record; its id exists before it is saved.
        with acting(user, "First sign-in"):
            return super().save_user(request, user, form, commit)
