"""The ways in of the JSON API that end in the hail: a batch of events, a hit of the tracker script, and collectd.

All answer 202 when what they took is on the hail's log, and count a moment later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from . import batch, collectd, serializers, tracker
from .batch import Batch
from .capture import event_of
from .conf import get_settings
from .engine.errors import HailWhaleError
from .hail import Hail
from .permissions import FromPage, MayCount, PageTicket, WriteKey, WriteKeyBeforeBody
from .ticket import Ticket
from .views import Body, CrossOrigin, WhaleView, invalid, read_stream
from .write_keys import Elsewhere, allowed


class TextBody(Body):
    """JSON that says it is text, which other sites may send without asking first."""

    media_type = "text/plain"


class LinesBody(BaseParser):
    """NDJSON."""

    media_type = "application/x-ndjson"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Batch:
        return batch.read_lines(read_stream(stream, parser_context["view"].most_bytes), get_settings().MAX_BATCH_EVENTS)


class ListBody(BaseParser):
    """A JSON list."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Batch:
        return batch.read_list(read_stream(stream, parser_context["view"].most_bytes), get_settings().MAX_BATCH_EVENTS)


class ReadingsBody(BaseParser):
    """What collectd's `write_http` sends. With `rates` in the URL, running totals come as rates."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Batch:
        view = parser_context["view"]
        raw = read_stream(stream, view.most_bytes)
        return collectd.read(raw, get_settings().MAX_BATCH_EVENTS, rates=view.asked["rates"])


class BatchView(WhaleView):
    """An endpoint that takes many events. The good ones count, the others are reported by their place."""

    hail: type[Hail] = Hail
    takes_key = True
    key_authentication = WriteKeyBeforeBody
    permission_classes: list[type[BasePermission]] = [MayCount]
    http_method_names = ["post"]

    @property
    def most_bytes(self) -> int:
        return get_settings().MAX_BATCH_BYTES

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Read the URL before the body."""
        super().initial(request, *args, **kwargs)
        serializer = self.serializer_class(data=self.asked_in_url(request))
        serializer.is_valid(raise_exception=True)
        self.asked: dict[str, Any] = serializer.validated_data

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        # Where nothing was sent, no parser was asked.
        found = request.data if isinstance(request.data, Batch) else Batch()
        report = batch.hand_over(found, self._take_allowed)
        said = report.to_wire() | self.further(found)
        if report.accepted or found.skipped:
            return Response(said, status.HTTP_202_ACCEPTED)
        if elsewhere := [error for _, error in report.errors if isinstance(error, Elsewhere)]:
            answer = invalid(elsewhere[0], status.HTTP_403_FORBIDDEN)
            answer.data |= said
            return answer
        return Response({"error": {"message": batch.none_accepted(report)}, **said}, status.HTTP_400_BAD_REQUEST)

    def _take_allowed(self, events: list[Any], on_error: Callable[[HailWhaleError, Any], None]) -> int:
        """Take those that the write key may count; a user's permission is for all."""
        if isinstance(self.request.auth, WriteKey):
            events = allowed(events, self.request.auth.holder, self.counters, on_error)
        return self.take(events, on_error)

    def take(self, events: list[Any], on_error: Callable[[HailWhaleError, Any], None]) -> int:
        """Have events counted; returns how many were accepted, and tells `on_error` of the others."""
        return self.hail.count_many(events, on_error)

    def further(self, found: Batch) -> dict[str, Any]:
        """What else the answer says."""
        return {}


class EventsView(CrossOrigin, BatchView):
    """Count many events."""

    serializer_class = serializers.ParametersSerializer
    parser_classes: list[type[BaseParser]] = [ListBody, LinesBody]
    http_method_names = ["post", "options"]


class CollectdView(BatchView):
    """Count what collectd measured."""

    serializer_class = serializers.CollectdSerializer
    parser_classes: list[type[BaseParser]] = [ReadingsBody]

    def further(self, found: Batch) -> dict[str, Any]:
        return {"skipped": found.skipped}


class EventView(CrossOrigin, WhaleView):
    """Count a hit of the tracker script: with a page's ticket what that declared, with a write key what it says."""

    hail: type[Hail] = Hail
    takes_key = True
    serializer_class = serializers.EventSerializer
    permission_classes: list[type[BasePermission]] = [FromPage]
    parser_classes: list[type[BaseParser]] = [Body, TextBody]
    http_method_names = ["post", "options"]
    most_bytes: ClassVar[int] = tracker.MAX_HIT_BYTES  # type: ignore[assignment]

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Not the user's session: a beacon of a logged-in visitor brings its cookie, and no CSRF token."""
        return [PageTicket(), WriteKey()]

    def answer(self, asked: dict[str, Any]) -> dict[str, bool]:
        ticket = self.request.auth if isinstance(self.request.auth, Ticket) else None
        # What the browser calls the referrer of this request is the page; the script tells the page's own.
        # Who holds a write key may be a server, which is nobody's visitor.
        sketches = get_settings().PIXEL_SKETCHES if ticket else ()
        found = event_of(self.request._request, **tracker.event(asked, ticket), without=["referrer"], sketches=sketches)
        self.hail.count(**found, id=asked.get("id"))
        return {"ok": True}

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().post(request, *args, **kwargs)
        response.status_code = status.HTTP_202_ACCEPTED
        return response
