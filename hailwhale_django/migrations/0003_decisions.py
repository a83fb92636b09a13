import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hailwhale_django", "0002_watching"),
    ]

    operations = [
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("store", models.CharField(default="default", max_length=100, verbose_name="store")),
                ("counter", models.CharField(max_length=255, verbose_name="counter")),
                ("name", models.CharField(blank=True, max_length=150, verbose_name="name")),
                ("path", models.CharField(editable=False, max_length=450)),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                ("options", models.JSONField(default=list, verbose_name="options")),
                ("control", models.CharField(blank=True, max_length=255, verbose_name="control")),
                ("formula", models.CharField(default="revenue/visitors", max_length=500, verbose_name="formula")),
                ("minimize", models.BooleanField(default=False, verbose_name="less is better")),
                ("policy", models.CharField(default="thompson", max_length=20, verbose_name="policy")),
                ("settings", models.JSONField(blank=True, default=dict, verbose_name="settings of the policy")),
                ("floor", models.FloatField(default=0.0, verbose_name="floor")),
                ("uniform", models.FloatField(blank=True, null=True, verbose_name="uniform share")),
                ("burn_in", models.PositiveIntegerField(default=0, verbose_name="burn-in")),
                ("dimensions", models.JSONField(blank=True, default=list, verbose_name="dimensions")),
                ("pairs", models.BooleanField(default=False, verbose_name="pairs of dimensions")),
                ("period", models.CharField(blank=True, max_length=100, verbose_name="period")),
                ("since", models.DateTimeField(blank=True, null=True, verbose_name="since")),
                ("hold", models.PositiveIntegerField(default=2592000, verbose_name="hold")),
                ("window", models.PositiveIntegerField(default=604800, verbose_name="window")),
                ("guardrails", models.JSONField(blank=True, default=list, verbose_name="guardrails")),
                ("state", models.CharField(default="draft", editable=False, max_length=10)),
                ("winner", models.CharField(blank=True, editable=False, max_length=255)),
                ("started_at", models.DateTimeField(editable=False, null=True)),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
                ("archived", models.BooleanField(default=False, editable=False)),
            ],
            options={
                "verbose_name": "decision",
                "verbose_name_plural": "decisions",
                "default_permissions": ("add", "change", "view"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("store", "path"),
                        name="hailwhale_one_of_a_counter",
                        violation_error_message="There is a decision with this counter already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DecisionChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("who", models.CharField(max_length=200)),
                ("what", models.TextField()),
                (
                    "decision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="hailwhale_django.decision",
                    ),
                ),
            ],
            options={
                "ordering": ("-at", "-id"),
                "default_permissions": (),
            },
        ),
    ]
