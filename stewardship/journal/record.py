"""The two kinds of governed rows: `Recorded` nouns that change and keep history, and `Fact`s that never change."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from django.db import models, transaction
from django.utils.translation import gettext as _
from simple_history.models import HistoricalRecords

from config.portal.errors import DomainError
from config.portal.permission import Paths, Restricted
from stewardship.journal.acting import current, moment


class HistoryBypassed(DomainError):
    """A write that would leave no history; the verbs save row by row instead."""


class FactsNeverChange(DomainError):
    """An append-only row was saved twice or deleted."""


class GovernedQuerySet(Restricted):
    """Reads as any queryset; refuses the writes that would leave no trace."""

    def _refuse(self, what: str) -> NoReturn:
        raise HistoryBypassed(f"{self.model.__name__}.objects.{what}() leaves no history.", remedy="Save each row inside acting().")

    def update(self, **kwargs: Any) -> NoReturn:
        self._refuse("update")

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("bulk_create")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("bulk_update")

    def delete(self) -> NoReturn:
        self._refuse("delete")


GovernedManager = models.Manager.from_queryset(GovernedQuerySet)


def _user_id(historical: Any) -> Any:
    return historical.history_user_id


def _set_user_id(historical: Any, user_id: Any) -> None:
    historical.history_user_id = user_id


class History(HistoricalRecords):
    """Our one configuration of simple-history: actor, reason and time come from the act in progress."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            # A plain id: a foreign key with SET NULL would become an UPDATE on an append-only table.
            history_user_id_field=models.UUIDField(),
            history_user_getter=_user_id,
            history_user_setter=_set_user_id,
            history_id_field=models.BigAutoField(),
            history_change_reason_field=models.TextField(blank=True),
            **kwargs,
        )

    def contribute_to_class(self, cls: Any, name: str) -> None:
        cls._history_declared_here = self
        super().contribute_to_class(cls, name)

    def finalize(self, sender: Any, **kwargs: Any) -> None:
        # A noun that declares its own history (a user leaves out the password) replaces the one it would inherit.
        if getattr(sender, "_history_declared_here", None) is self:
            super().finalize(sender, **kwargs)

    def _get_history_user_fields(self) -> dict[str, Any]:
        return {"history_user": property(_user_id, _set_user_id), "history_user_id": models.UUIDField(db_index=True)}

    def _get_history_change_reason_field(self) -> Any:
        return models.TextField(blank=True)

    def get_history_user(self, instance: Any) -> Any:
        return current().actor_id

    def get_change_reason_for_object(self, instance: Any, history_type: str, using: str) -> str:
        return current().reason

    def get_meta_options(self, model: Any) -> dict[str, Any]:
        # as_of and "newest first" both read (object, date, id); measured 14 times slower without on SQLite.
        options: dict[str, Any] = super().get_meta_options(model)
        options["indexes"] = (models.Index(fields=[model._meta.pk.name, "-history_date", "-history_id"]),)
        return options


class Recorded(models.Model):
    """A governed noun: UUID key, history of every save, and a journal entry for every history row.

    `access_paths` says how a row leads to the scopes that rights are granted on.
    `personal` names fields that enter the journal as salted commitments only.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    history = History(inherit=True)
    objects = GovernedManager()

    access_paths: ClassVar[Paths]
    journal_object: ClassVar[str] = "id"
    personal: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save and record in one transaction; raises NoActor outside `acting()`.

        With `update_fields` the other fields are read again first: the history row says what the database row then holds.
        """
        current()
        self._history_date = moment()
        named = kwargs.get("update_fields")
        with transaction.atomic(savepoint=False):
            if named and not self._state.adding:
                self._reread(but=frozenset(named))
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete and record in one transaction; raises NoActor outside `acting()`."""
        current()
        self._history_date = moment()
        with transaction.atomic(savepoint=False):
            self._reread(but=frozenset())
            return super().delete(*args, **kwargs)

    def _reread(self, *, but: frozenset[str]) -> None:
        """Take the row's values under its lock; a copy from before somebody else's save would write a false history row."""
        names = [field.attname for field in self._meta.concrete_fields if not {field.name, field.attname} & but and not field.primary_key]
        row = type(self)._base_manager.select_for_update().filter(pk=self.pk).values_list(*names).first()
        for name, value in zip(names, row or (), strict=False):
            setattr(self, name, value)


@dataclass(frozen=True)
class Demand:
    """What the database itself demands of each new row of a fact, whoever inserts it.

    `holds` is an SQL condition over `NEW."column"` and other tables, read before the insert: the row is refused unless it
    is true, so unknown (NULL) refuses too. `postgresql` replaces it where that database must be asked in other words.
    `name` is a short identifier, `because` the sentence that the refused statement gives as its error.
    """

    name: str
    because: str
    holds: str
    postgresql: str = ""

    def on(self, vendor: str) -> str:
        """The condition in this database's words."""
        return self.postgresql if vendor == "postgresql" and self.postgresql else self.holds


class Fact(models.Model):
    """Something that happened: written once, never changed. Its own table is guarded and journalled.

    `journal_object` names the column whose value is the chain the fact belongs to (a decision belongs to its change).
    `demands` are rules between rows that the guards hold even against raw SQL; the code makes them polite.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(editable=False, db_index=True)
    actor_id = models.UUIDField(editable=False)
    reason = models.TextField(blank=True, editable=False)

    objects = GovernedManager()

    access_paths: ClassVar[Paths]
    journal_object: ClassVar[str] = "id"
    personal: ClassVar[frozenset[str]] = frozenset()
    demands: ClassVar[tuple[Demand, ...]] = ()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; raises FactsNeverChange on a second save and NoActor outside `acting()`."""
        if not self._state.adding:
            raise FactsNeverChange(_("A %(noun)s is written once.") % {"noun": self._meta.verbose_name})
        act = current()
        self.at = moment()
        self.actor_id = act.actor_id
        self.reason = self.reason or act.reason
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise FactsNeverChange(_("A %(noun)s is never deleted.") % {"noun": self._meta.verbose_name})
