from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("hailwhale_django", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[],
            options={
                "verbose_name": "dead letter",
                "verbose_name_plural": "dead letters",
                "proxy": True,
                "default_permissions": ("view", "change", "delete"),
                "indexes": [],
                "constraints": [],
            },
            bases=("hailwhale_django.counter",),
        ),
        migrations.CreateModel(
            name="Health",
            fields=[],
            options={
                "verbose_name": "health",
                "verbose_name_plural": "health",
                "proxy": True,
                "default_permissions": ("view",),
                "indexes": [],
                "constraints": [],
            },
            bases=("hailwhale_django.counter",),
        ),
        migrations.CreateModel(
            name="Live",
            fields=[],
            options={
                "verbose_name": "live",
                "verbose_name_plural": "live",
                "proxy": True,
                "default_permissions": ("view",),
                "indexes": [],
                "constraints": [],
            },
            bases=("hailwhale_django.counter",),
        ),
    ]
