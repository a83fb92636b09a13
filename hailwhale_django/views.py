"""The JSON API: parameters are read, `Whale` is called, and what it says is written out.

Each endpoint takes GET with parameters in the URL and POST with a JSON object of the same names (`reset` only POST). On
POST the URL's parameters count, too, where the body does not name them. Answers are JSON whatever is accepted, since an
image tag that counts accepts images.

An error is `{"error": {"message": ...}}`, with `field`, `value` and `expected` where something given will not do:

    400 InvalidInput    401, 403 who asks    405 method     409 counted all but what its message names
    413 TooLarge        415 not JSON         429 throttled  503 the store does not answer; try again
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from math import isfinite
from time import perf_counter
from typing import Any, ClassVar, NoReturn

from django.apps import apps
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.cache import patch_vary_headers
from rest_framework import exceptions, status
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, TokenAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView, exception_handler

from . import serializers, wire
from .conf import get_settings
from .engine.domain.formula import Formula
from .engine.domain.query import Query, parse_formulas
from .engine.domain.sketch import sketch_of
from .engine.errors import CounterOverflow, InvalidInput, StoreUnavailable, TooLarge, TooManyNames
from .engine.simmer.features import FeatureHash
from .engine.simmer.heavy import Top
from .engine.simmer.histogram import Histogram
from .engine.simmer.minhash import MinHash
from .permissions import KEY_HEADER, KEY_PARAMETER, MayCount, MayRead, MayReset, MaySet, WriteKey, body_of
from .whale import Whale
from .write_keys import Elsewhere, KeysAway

CACHE_BUSTER = "_"
"""What jQuery adds to a URL so that it is not cached; it says nothing."""

MAX_POINTS = 1_000_000
"""Numbers of lines, or of lists, in one answer: some 20 MB, and more than any screen shows."""

TOO_DEEP = "this is nested too deeply"
RETRY_SECONDS = 1
PREFLIGHT_SECONDS = 86_400

Handler = Callable[[Exception, dict[str, Any]], Response | None]


class Body(BaseParser):
    """Strict JSON, no longer than the project allows."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return wire.read_body(read_stream(stream, parser_context["view"].most_bytes))


class Json(JSONRenderer):
    """JSON that every reader can read: what is no number is null."""

    strict = True

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        try:
            return super().render(data, accepted_media_type, renderer_context)
        except ValueError:
            return super().render(_readable(data), accepted_media_type, renderer_context)


class AlwaysJson(DefaultContentNegotiation):
    """Nothing is refused for what it accepts: by then an image tag's event would be lost."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class CrossOrigin:
    """An endpoint that answers the pages of the sites in HAILWHALE["CORS_ORIGINS"], which send no credentials."""

    http_method_names: list[str]

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """What a browser asks before it lets another site send JSON."""
        methods = [name.upper() for name in self.http_method_names if name != "options"]
        headers = {
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": f"Content-Type, {KEY_HEADER}",
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        }
        return Response(status=status.HTTP_204_NO_CONTENT, headers=headers)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        origins = get_settings().CORS_ORIGINS
        if "*" in origins:
            response["Access-Control-Allow-Origin"] = "*"
            return response
        patch_vary_headers(response, ["Origin"])
        origin = request.headers.get("Origin")
        if origin in origins:
            response["Access-Control-Allow-Origin"] = origin
        return response


class WhaleView(APIView):
    """An endpoint. `serializer_class` says what may be asked, `answer` answers."""

    whale: type[Whale] = Whale
    serializer_class: ClassVar[type[serializers.ParametersSerializer]]
    takes_key: ClassVar[bool] = False
    key_authentication: ClassVar[type[WriteKey]] = WriteKey
    counter_parameter: ClassVar[str] = "pk"

    http_method_names = ["get", "head", "post"]
    permission_classes: list[type[BasePermission]] = [MayRead]
    renderer_classes: list[type[BaseRenderer]] = [Json]
    parser_classes: list[type[BaseParser]] = [Body]
    content_negotiation_class = AlwaysJson
    # A project's own choices of these are about its own API.
    versioning_class = None
    metadata_class = None

    def answer(self, asked: dict[str, Any]) -> Any:
        """What to answer to these parameters."""
        raise NotImplementedError

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = self.serializer_class(data=self._given(request))
        asked.is_valid(raise_exception=True)
        self._check_key(asked.validated_data)
        return Response(self.answer(asked.validated_data))

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.get(request, *args, **kwargs)

    def counters(self, asked: dict[str, Any]) -> Iterable[Any]:
        """Those that a write key needs to be of; any spelling of a pk will do."""
        return [asked.get("pk")]

    def _check_key(self, asked: dict[str, Any]) -> None:
        if isinstance(self.request.auth, WriteKey) and self.request.auth.holder.counters:
            for pk in self.counters(asked):
                self.request.auth.holder.check(pk, self.counter_parameter)

    def _given(self, request: Request) -> dict[str, Any]:
        found = self.asked_in_url(request)
        if request.method == "POST":
            found |= {name: value for name, value in body_of(request).items() if name not in self._ignored}
        return found

    def asked_in_url(self, request: Request) -> dict[str, Any]:
        """The parameters of the URL."""
        given = request.query_params.lists()
        return {name: wire.read_parameter(name, texts) for name, texts in given if name not in self._ignored}

    @property
    def _ignored(self) -> tuple[str, ...]:
        return (CACHE_BUSTER, KEY_PARAMETER) if self.takes_key else (CACHE_BUSTER,)

    @property
    def most_bytes(self) -> int:
        """The largest body that is read."""
        return get_settings().MAX_BODY_BYTES

    def get_authenticators(self) -> list[BaseAuthentication]:
        """The project's, if it has chosen; else sessions, and tokens where they are installed."""
        chosen: list[Any] = [SessionAuthentication]
        if "DEFAULT_AUTHENTICATION_CLASSES" in api_settings.user_settings:
            chosen = list(api_settings.DEFAULT_AUTHENTICATION_CLASSES)
        elif apps.is_installed("rest_framework.authtoken"):
            chosen.insert(0, TokenAuthentication)
        if self.takes_key:
            chosen.insert(0, self.key_authentication)
        return [authentication() for authentication in chosen]

    def get_exception_handler(self) -> Handler:
        return error_response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what is too large before it is read, and wrong methods whoever asks."""
        check_size("URL", len(request.META.get("QUERY_STRING", "")), get_settings().MAX_BODY_BYTES)
        check_size("body", _number(request.META.get("CONTENT_LENGTH")), self.most_bytes)
        if request.encoding:  # a charset is the body's, and would else be the URL's, too
            request._request.encoding = "utf-8"
        if request.method not in self.allowed_methods:
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        """As DRF's, which gives those who are not logged in no reason."""
        if request.authenticators and not request.successful_authenticator:
            raise exceptions.NotAuthenticated(message, code)
        raise exceptions.PermissionDenied(message, code)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class WriteView(WhaleView):
    """An endpoint that changes counts. A HEAD does not."""

    takes_key = True
    http_method_names = ["get", "post"]

    def answer(self, asked: dict[str, Any]) -> dict[str, bool]:
        self.write(asked)
        return {"ok": True}

    def write(self, asked: dict[str, Any]) -> None:
        raise NotImplementedError


class CountView(CrossOrigin, WriteView):
    """Count an event now."""

    serializer_class = serializers.CountSerializer
    permission_classes = [MayCount]
    http_method_names = ["get", "post", "options"]

    def write(self, asked: dict[str, Any]) -> None:
        self.whale.count_now(**asked)


class UpdateCountToView(WriteView):
    """Set the bucket of exactly one path."""

    serializer_class = serializers.UpdateCountToSerializer
    permission_classes = [MaySet]

    def write(self, asked: dict[str, Any]) -> None:
        self.whale.update_count_to(**asked)


class ResetView(WriteView):
    """Remove a counter, or one dimension or metric of it. Only by POST, so that no link and no image can."""

    serializer_class = serializers.ResetSerializer
    permission_classes = [MayReset]
    takes_key = False
    http_method_names = ["post"]

    def write(self, asked: dict[str, Any]) -> None:
        self.whale.reset(**asked)


class TotalsView(WhaleView):
    """`{period: {path: {metric: value}}}`"""

    serializer_class = serializers.TotalsSerializer

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self.whale.totals(**asked)


class PlotpointsView(WhaleView):
    """`{path: {metric: [[milliseconds, value], ...]}}`"""

    serializer_class = serializers.PlotpointsSerializer

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        period = self.whale.pod().period(asked.get("period"), asked.get("tzoffset"))
        formulas = parse_formulas(asked.get("metrics"))
        check_points(asked["limit"], len(period) * sum(map(numbers_of, formulas)))
        return self.whale.plotpoints(**asked, flot_time=True)


class RankView(WhaleView):
    """`{"rows": [{"path", "score", ...}, ...], "count"}`, best first."""

    serializer_class = serializers.RankSerializer

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        limit = asked.pop("limit")
        if asked.get("points"):
            period = self.whale.pod().period(asked.get("period"), asked.get("tzoffset"))
            check_points(limit, len(period))
        return serializers.ranked_rows(self.whale.rank(**asked), limit)


class OverlapView(WhaleView):
    """`{names, matrix, standard_error, warnings}`: how much of the children of a path is the same."""

    serializer_class = serializers.OverlapSerializer

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        return serializers.overlap(self.whale.overlap(**asked))


class QueryView(WhaleView):
    """`{query, columns, rows, other, totals, meta}`: a table of a path's children, ranked."""

    serializer_class = serializers.QuerySerializer

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        began = perf_counter()
        pod = self.whale.pod()
        query: Query = pod.parse_query(**asked)
        buckets = len(query.period) if query.plotted else 1
        check_points(asked["limit"], sum(buckets if one.is_number else numbers_of(one) for one in query.formulas))
        now = pod.clock()
        found = pod.reader.table(query, now)
        took_ms = (perf_counter() - began) * 1000
        return serializers.table(found, datetime.fromtimestamp(now, UTC), took_ms)


def read_stream(stream: Any, most_bytes: int) -> bytes:
    """A body. Raises `TooLarge`, also where its length was not told."""
    raw: bytes = stream.read(most_bytes + 1)
    check_size("body", len(raw), most_bytes)
    return raw


def check_size(field: str, size: int, limit: int) -> None:
    """Raise `TooLarge` beyond so many bytes."""
    if size > limit:
        raise TooLarge(field, f"{size:,} bytes", f"at most {limit:,} bytes")


def check_points(rows: int, numbers: int) -> None:
    """Raise `TooLarge` for a question whose answer no one could draw; `numbers` are those of a row."""
    if rows * numbers > MAX_POINTS:
        expected = f"{rows:,} rows of {numbers:,} numbers; at most {MAX_POINTS:,} in all"
        raise TooLarge("limit", rows, f"{expected}: ask a lower limit, a shorter period or a coarser interval")


def numbers_of(formula: Formula) -> int:
    """How many numbers a formula tells, at most."""
    sketch = sketch_of(formula.metrics[0]) if not formula.is_number else None
    match sketch and sketch.aggregation:
        case Top(k=count) | Histogram(most_bars=count) | MinHash(hashes=count):
            return count
        case FeatureHash(bits=bits):
            return 1 << bits
    return 1


def error_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an error that is the asker's or the store's; `None` for a bug or a wrong setting."""
    try:
        return _known_error(error) or _error_of_framework(error, context)
    except RecursionError:  # the value is too deep even to be shown
        return _refused(TOO_DEEP, status.HTTP_400_BAD_REQUEST)


def _known_error(error: Exception) -> Response | None:
    match error:
        case Elsewhere():
            return invalid(error, status.HTTP_403_FORBIDDEN)
        case TooLarge():
            return invalid(error, status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        case InvalidInput():
            return invalid(error, status.HTTP_400_BAD_REQUEST)
        case CounterOverflow() | TooManyNames():
            return _refused(error, status.HTTP_409_CONFLICT)
        case StoreUnavailable() | KeysAway():
            return _refused(error, status.HTTP_503_SERVICE_UNAVAILABLE, {"Retry-After": str(RETRY_SECONDS)})
        case RequestDataTooBig():
            return _refused(error, status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        case SuspiciousOperation() | BadRequest() | MultiPartParserError() | UnreadablePostError():
            return _refused(error, status.HTTP_400_BAD_REQUEST)
        case RecursionError():
            return _refused(TOO_DEEP, status.HTTP_400_BAD_REQUEST)
    return None


def _error_of_framework(error: Exception, context: dict[str, Any]) -> Response | None:
    response = exception_handler(error, context)
    if response is not None:
        response.data = {"error": {"message": _message(response.data)}}
    return response


def invalid(error: InvalidInput, code: int) -> Response:
    """The answer to something given that will not do."""
    value = wire.shortened(error.value)
    said = {"field": error.field, "value": value, "expected": error.expected, "message": str(error)}
    return Response({"error": said}, code)


def _refused(message: object, code: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response({"error": {"message": str(message)}}, code, headers=dict(headers or {}))


def _message(data: Any) -> str:
    """What DRF, or an authentication class of the project's, says in one of its several shapes."""
    if isinstance(data, dict) and "detail" in data:
        return str(data["detail"])
    return str(data)


def _readable(data: Any) -> Any:
    """The same without numbers that are none, and text that UTF-8 cannot write."""
    if isinstance(data, float):
        return data if isfinite(data) else None
    if isinstance(data, str):
        return data.encode("utf-8", "replace").decode()
    if isinstance(data, Mapping):
        return {_readable(key): _readable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_readable(one) for one in data]
    return data


def _number(text: Any) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0
