from django.db import migrations, models

import pipeline.files


class Migration(migrations.Migration):
    """Recordings are stored as WAV; what was stored as FLAC stays and is read alike."""

    dependencies = [
        ("pipeline", "0005_runs_follow_recipes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="video",
            name="audio",
            field=models.FileField(
                blank=True, help_text="WAV (formerly FLAC), 16 kHz, mono.", upload_to=pipeline.files.server_made_name
            ),
        ),
    ]
