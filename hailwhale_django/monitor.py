"""The endpoint for monitors: how hailwhale is, and in the status whether that is well."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from . import serializers
from .health import health
from .permissions import CounterPermission
from .views import WhaleView


class MayWatch(CounterPermission):
    """Not a write key: pages show theirs to everybody."""

    codename = "view_health"


class HealthView(WhaleView):
    """What `hailwhale_doctor` says: 200 when all is well, 503 when there is an error, with the same body."""

    serializer_class = serializers.ParametersSerializer
    permission_classes: list[type[BasePermission]] = [MayWatch]
    http_method_names = ["get", "head"]

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        return health().to_wire()

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().get(request, *args, **kwargs)
        if not response.data["well"]:
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return response
