"""All that hailwhale has in Django's admin."""

from __future__ import annotations

from django.contrib import admin

from ..models import (
    Alert,
    Annotation,
    Counter,
    Dashboard,
    DeadLetter,
    Decision,
    Health,
    Live,
    Panel,
    Report,
    Segment,
    SharedLink,
    WriteKey,
)
from .alerts import AlertAdmin
from .annotations import AnnotationAdmin
from .counters import CounterAdmin
from .dashboards import DashboardAdmin
from .decisions import DecisionAdmin
from .keys import KeyAdmin
from .panels import PanelAdmin
from .reports import ReportAdmin
from .segments import SegmentAdmin
from .shared_links import SharedLinkAdmin
from .watching import DeadLetterAdmin, HealthAdmin, LiveAdmin

admin.site.register(Dashboard, DashboardAdmin)
admin.site.register(Panel, PanelAdmin)
admin.site.register(SharedLink, SharedLinkAdmin)
admin.site.register(Segment, SegmentAdmin)
admin.site.register(Annotation, AnnotationAdmin)
admin.site.register(Counter, CounterAdmin)
admin.site.register(Decision, DecisionAdmin)
admin.site.register(Live, LiveAdmin)
admin.site.register(Health, HealthAdmin)
admin.site.register(DeadLetter, DeadLetterAdmin)
admin.site.register(Alert, AlertAdmin)
admin.site.register(Report, ReportAdmin)
admin.site.register(WriteKey, KeyAdmin)
