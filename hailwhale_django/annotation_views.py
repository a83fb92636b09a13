"""The JSON API's part about annotations: GET lists them for those who may read, POST writes one down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from rest_framework import status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from . import serializers
from .annotations import annotate, instant_of, touching
from .conf import known_store
from .permissions import MayAnnotate, MayRead, WriteKey
from .views import WhaleView
from .write_keys import Elsewhere


class AnnotationsView(WhaleView):
    """`{"annotations": [...]}`, oldest first; or what was written down."""

    takes_key = True
    counter_parameter = "counter"
    serializer_class = serializers.AnnotateSerializer

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.writes = request.method == "POST"
        self.serializer_class = serializers.AnnotateSerializer if self.writes else serializers.AnnotationsSerializer

    def get_permissions(self) -> list[BasePermission]:
        return [MayAnnotate() if self.writes else MayRead()]

    def counters(self, asked: dict[str, Any]) -> Iterable[Any]:
        if asked["counter"] in (None, ""):
            raise Elsewhere("counter", "", "this write key is not for all counters; name one of its own")
        return [asked["counter"]]

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.writes:
            return serializers.annotation(annotate(asked.pop("text", ""), **asked, who=self._who()))
        start, end = (instant_of(name, asked.get(name)) for name in ("from", "until"))
        found = touching(known_store(asked["store"]), asked["counter"] or None, start, end)
        return {"annotations": list(map(serializers.annotation, found))}

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().post(request, *args, **kwargs)
        response.status_code = status.HTTP_201_CREATED
        return response

    def _who(self) -> str:
        auth: Any = self.request.auth
        return auth.holder.name if isinstance(auth, WriteKey) else self.request.user.get_username()
