"""The JSON API's part about decisions: to make one, to count what came of it, and both for the scripts of pages.

Who holds a write key is told the option and nothing else: how options stand is what a reader may know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from django.http import HttpRequest
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from . import choosing, crediting, serializers, tracker
from .asker import base_of
from .decisions import counters_of
from .engine.decide.choice import Choice
from .engine.decider import counter_of, jointly
from .engine.errors import HailWhaleError
from .hail import Hail
from .inlets import BatchView, LinesBody, ListBody, TextBody
from .offer import Offer
from .permissions import FromPage, MayCount, MayDecide, PageOffer, WriteKey
from .views import Body, CrossOrigin, WhaleView, WriteView

FROM_LOG = ("id", "visitor", "decision_id")
"""What counts once, or is credited to a decision that is kept, is counted by way of the log: there nothing is lost
between the two."""


class CountDecisionView(CrossOrigin, WriteView):
    """Count what came of a decision: now, or with an id or a visitor a moment later, and once."""

    hail: type[Hail] = Hail
    serializer_class = serializers.CountDecisionSerializer
    permission_classes = [MayCount]
    http_method_names = ["get", "post", "options"]
    is_counted = True

    def counters(self, asked: dict[str, Any]) -> Iterable[Any]:
        return counters_of(asked)

    def write(self, asked: dict[str, Any]) -> None:
        self.is_counted = not any(asked.get(name) for name in FROM_LOG)
        if self.is_counted:
            self.whale.count_decision(**asked)
        else:
            self.hail.count_decisions([asked])

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().get(request, *args, **kwargs)
        response.status_code = status.HTTP_200_OK if self.is_counted else status.HTTP_202_ACCEPTED
        return response


class CountDecisionsView(CrossOrigin, BatchView):
    """Count what came of many decisions."""

    serializer_class = serializers.ParametersSerializer
    parser_classes: list[type[BaseParser]] = [ListBody, LinesBody]
    http_method_names = ["post", "options"]

    def counters(self, asked: dict[str, Any]) -> Iterable[Any]:
        return counters_of(asked)

    def take(self, events: list[Any], on_error: Callable[[HailWhaleError, Any], None]) -> int:
        return self.hail.count_decisions(events, on_error)


class DecideView(CrossOrigin, WhaleView):
    """`{"option": "b"}`; with `choice` everything that says why."""

    takes_key = True
    serializer_class = serializers.DecideSerializer
    permission_classes: list[type[BasePermission]] = [MayDecide]
    http_method_names = ["get", "post", "options"]

    def counters(self, asked: dict[str, Any]) -> Iterable[Any]:
        options, names = asked.get("options"), [asked.get("decision")]
        if isinstance(options, Mapping):
            names = [jointly(options)[0]] if asked["together"] else list(options)
        return [counter_of(asked.get("pk"), name) for name in names]

    def answer(self, asked: dict[str, Any]) -> Any:
        is_whole = asked.pop("choice")
        if is_whole and isinstance(self.request.auth, WriteKey):
            raise PermissionDenied("a write key is told the option alone; the whole choice needs a user who may read")
        found = self.whale.decide(**asked, choice=is_whole)
        return _whole(found) if is_whole else {"option": found}


class PageView(CrossOrigin, WhaleView):
    """What the script of a page asks about the decisions that the page offers."""

    permission_classes: list[type[BasePermission]] = [FromPage]
    parser_classes: list[type[BaseParser]] = [Body, TextBody]
    http_method_names = ["post", "options"]
    most_bytes: ClassVar[int] = tracker.MAX_HIT_BYTES  # type: ignore[assignment]

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Not the user's session, as with events."""
        return [PageOffer()]

    def asked_in_url(self, request: Request) -> dict[str, Any]:
        """The parameters of the URL, but for options that staff force."""
        found = super().asked_in_url(request)
        return {name: value for name, value in found.items() if not name.startswith(choosing.FORCED_PREFIX)}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Remember who is logged in, in whose place whoever holds a ticket is put."""
        self.reader = getattr(request, "user", None)
        return super().initialize_request(request, *args, **kwargs)

    @property
    def offer(self) -> Offer:
        assert isinstance(self.request.auth, Offer)
        return self.request.auth


class ChooseView(PageView):
    """Decide for who reads the page."""

    serializer_class = serializers.ChooseSerializer

    def answer(self, asked: dict[str, Any]) -> dict[str, str]:
        offer, decision = self.offer, asked.get("decision")
        options = offer.options(decision)
        request: Any = self.request._request
        request.user = self.reader
        found = {"pk": offer.pk, "known": offer.known, "visitor": offer.visitor, **offer.terms}
        # What the browser calls the referrer of this request is the page.
        return {"option": choosing.decide(request, decision, options, without=["referrer"], **found).option}


class CreditView(PageView):
    """Credit what the page declared."""

    serializer_class = serializers.CreditSerializer

    def answer(self, asked: dict[str, Any]) -> dict[str, bool]:
        offer, decision = self.offer, asked.get("decision")
        offer.options(decision)
        metrics = offer.earned(asked.get("metrics"))
        crediting.check(base_of(offer.pk), decision, metrics)
        crediting.credit(self.request, decision, metrics, pk=offer.pk, id=asked.get("id"), visitor=offer.visitor)
        return {"ok": True}

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().post(request, *args, **kwargs)
        response.status_code = status.HTTP_202_ACCEPTED
        return response


def _whole(found: Any) -> dict[str, Any]:
    if isinstance(found, Choice):
        return found.to_dict()
    options = {name: one.option for name, one in found.items()}
    return {"option": options, "choices": {name: one.to_dict() for name, one in found.items()}}
