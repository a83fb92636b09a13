"""Telling somebody: by mail, or by a webhook. Anything that goes wrong is raised."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext, ngettext

from .. import connection
from . import wording
from .explaining import Told, explained
from .links import absolute
from .lookout import Lookout

if TYPE_CHECKING:
    from ..models import Alert, AlertEvent

MAIL = "hailwhale_django/mail"

MOST_LINES = 20
"""As many children as one message names."""

MOST_OF_A_SUBJECT = 200

TIMEOUT_SECONDS = 5.0
AGENT = "hailwhale_django"


def tell(alert: Alert, events: Sequence[AlertEvent], *, is_last: bool, now: datetime) -> None:
    """One message about all of these. `is_last`: today nothing more is told."""
    with translation.override(settings.LANGUAGE_CODE):
        reasons = explained(alert, events[:MOST_LINES], now)
        message = message_of(alert, events, reasons, is_last=is_last, now=now)
        if alert.channel == "webhook":
            post(alert.url, message)
        else:
            _mail(alert, events, reasons, message)


def message_of(
    alert: Alert, events: Sequence[AlertEvent], reasons: Mapping[int, Told], *, is_last: bool, now: datetime
) -> dict[str, Any]:
    """What a webhook gets: `text` says all of it, as chats show it, the rest is for programs."""
    lookout = Lookout.of(alert)
    shown = [line for event in events[:MOST_LINES] for line in _lines(event, reasons.get(event.pk))]
    if (more := len(events) - MOST_LINES) > 0:
        shown.append(ngettext("and %(count)s more", "and %(count)s more", more) % {"count": more})
    if is_last:
        shown.append(gettext("This is the last message of this alert today."))
    link = absolute("alert_change", alert.pk)
    return {
        "text": escaped("\n".join([alert.name, *shown, *filter(None, [link])])),
        "alert": alert.name,
        "condition": wording.condition(lookout),
        "store": alert.store,
        "counter": alert.counter,
        "dimension": alert.dimension,
        "formula": str(lookout.column.formula),
        "window": alert.window,
        "at": now.isoformat(),
        "link": link,
        "last_today": is_last,
        "events": [_event_to_wire(event, reasons.get(event.pk)) for event in events],
    }


def _lines(event: AlertEvent, reason: Told | None) -> list[str]:
    return [event.text, *(f"• {sentence}" for sentence in (reason.sentences if reason else ()))]


def escaped(text: str) -> str:
    """As Slack wants it, so that a child called `<!everyone>` calls nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _event_to_wire(event: AlertEvent, reason: Told | None) -> dict[str, Any]:
    return {
        "id": event.pk,
        "at": event.at.isoformat(),
        "state": event.state,
        "child": event.child,
        "value": event.value,
        "text": event.text,
        "explanation": reason.sentences if reason else [],
        "why": reason.why if reason else "",
    }


def subject_of(alert: Alert, events: Sequence[AlertEvent]) -> str:
    """The one thing there is to say, or how many there are."""
    if len(events) == 1:
        return f"{alert.name}: {events[0].text}"
    count = len(events)
    return f"{alert.name}: " + ngettext("%(count)s message", "%(count)s messages", count) % {"count": count}


def _mail(alert: Alert, events: Sequence[AlertEvent], reasons: Mapping[int, Told], message: dict[str, Any]) -> None:
    zone = connection.pod(alert.store).store.timeline.zone
    context = {
        **message,
        # Written here, since templates show times in the zone of Django.
        "shown": [
            (event, f"{event.at.astimezone(zone):%Y-%m-%d %H:%M}", reasons.get(event.pk))
            for event in events[:MOST_LINES]
        ],
        "more": max(len(events) - MOST_LINES, 0),
        "zone": zone,
    }
    key = f"alert-{alert.pk}-{events[0].pk}-{events[-1].pk}"
    send(alert.recipients, subject_of(alert, events), "alert", context, key)


def send(recipients: Sequence[str], subject: str, template: str, context: dict[str, Any], key: str) -> None:
    """One mail of text and HTML to all. What is sent again has the same id, by which some mailboxes know it."""
    mail = EmailMultiAlternatives(
        subject=" ".join(subject.split())[:MOST_OF_A_SUBJECT],
        body=render_to_string(f"{MAIL}/{template}.txt", context),
        to=list(recipients),
        headers={"Message-ID": f"<hailwhale-{key}@{_domain()}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(render_to_string(f"{MAIL}/{template}.html", context), "text/html")
    mail.send()


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def post(url: str, body: dict[str, Any]) -> None:
    """Send JSON, and follow no redirect: what answers with one has not taken it."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is no address of the web")
    data = json.dumps(body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": AGENT}
    try:
        _opener().open(Request(url, data, headers, method="POST"), timeout=TIMEOUT_SECONDS).close()
    except HTTPError as error:
        error.close()
        raise
    except URLError as error:  # which says what is wrong in angle brackets
        raise ConnectionError(str(error.reason)) from error


def _opener() -> OpenerDirector:
    """Without what urllib can do besides: files, FTP, redirects."""
    opener = OpenerDirector()
    for handler in (ProxyHandler, HTTPHandler, HTTPSHandler, HTTPErrorProcessor, HTTPDefaultErrorHandler):
        opener.add_handler(handler())
    return opener
