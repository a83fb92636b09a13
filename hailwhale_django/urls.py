from __future__ import annotations

app_name = "hailwhale"

urlpatterns: list[object] = []
