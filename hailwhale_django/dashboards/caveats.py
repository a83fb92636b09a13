"""What an answer must say about itself, in the reader's language: the engine says it in English."""

from __future__ import annotations

import re

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..engine.domain.plan import NOT_RETAINED, UNALIGNED, ZONE_INEXACT
from ..engine.explainer import NOTHING_USUAL

CAVEATS = {
    NOT_RETAINED: _("some of this period is older than what is kept"),
    ZONE_INEXACT: _("some dates of this zone begin inside a kept bucket; all of it is counted on the nearer one"),
    NOTHING_USUAL: _("too little of these periods and of earlier ones is kept to tell what is usual"),
    UNALIGNED: _("some edges of this period fall inside a kept bucket; what lies in them is left out"),
}

_COMPARED = re.compile(r"compared period: (?P<caveat>.+)", re.S)
_UNKEPT = re.compile(r"(?P<name>.+) is not kept of (?P<row>.+): see the setting SKETCHES", re.S)


def caveat(warning: str) -> str:
    """A warning of an answer; one that nobody has translated stays as it is."""
    if found := _COMPARED.fullmatch(warning):
        return gettext("compared period: %(caveat)s") % {"caveat": caveat(found["caveat"])}
    if found := _UNKEPT.fullmatch(warning):
        return gettext("%(name)s is not kept of %(row)s: see the setting SKETCHES") % found.groupdict()
    return str(CAVEATS.get(warning, warning))
