from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hailwhale_django", "0004_dashboards"),
    ]

    operations = [
        migrations.AlterField(
            model_name="panel",
            name="kind",
            field=models.CharField(
                choices=[
                    ("number", "number"),
                    ("graph", "graph"),
                    ("table", "table"),
                    ("top", "top list"),
                    ("movers", "what moved most"),
                    ("decision", "decision"),
                    ("text", "text"),
                ],
                default="table",
                max_length=10,
                verbose_name="kind",
            ),
        ),
    ]
