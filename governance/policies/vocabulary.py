"""The facts that a rule can speak of, so that a misspelt one is refused when it is written and not "not known" for ever."""

from __future__ import annotations

from difflib import get_close_matches

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.policies.cel import ExpressionError, Program, compile_expression

FACTS = {
    "change": gettext_lazy("the change that is asked for: kind, origin, tradeoffs, rollback, …"),
    "model": gettext_lazy("the registered model: slug, tier, stage, ruling, region, …"),
    "version": gettext_lazy("the version: label, digest, code_revision, ran_there, …"),
    "target": gettext_lazy("where it is to go: environment, production, region"),
    "evidence": gettext_lazy("what was attached to the version: metrics, tests, kinds"),
    "previous": gettext_lazy("the version that is live there now: label, metrics"),
    "risk": gettext_lazy("the latest risk assessment: tier, score, assessed_days_ago"),
    "dossier": gettext_lazy("the dossier: completeness, missing"),
    "roles": gettext_lazy("which roles are filled, by slug"),
    "alerts": gettext_lazy("open alerts: open_act, open_investigate"),
    "limits": gettext_lazy("values that the region sets, by parameter"),
    "at": gettext_lazy("the instant of the evaluation, as text"),
}


def compile_known(text: str) -> Program:
    """Read an expression over the facts above; raises ExpressionError also for a name that is not one of them."""
    program = compile_expression(text)
    for name, offset in program.roots().items():
        if name not in FACTS:
            near = get_close_matches(name, FACTS, n=1)
            raise ExpressionError(
                _("There is no fact '%(name)s' (column %(column)d).") % {"name": name, "column": offset + 1},
                source=text,
                offset=offset,
                remedy=_("Did you mean '%(near)s'?") % {"near": near[0]}
                if near
                else _("Facts begin with: %(names)s.") % {"names": ", ".join(FACTS)},
            )
    return program
