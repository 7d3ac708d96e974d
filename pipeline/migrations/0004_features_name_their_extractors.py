from django.db import migrations, models

import pipeline.files


class Migration(migrations.Migration):
    """A video's array file names its extractors itself; a column beside it could only contradict it."""

    dependencies = [
        ('pipeline', '0003_predictions_wanted'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='video',
            name='features_extractor',
        ),
        migrations.AlterField(
            model_name='video',
            name='features',
            field=models.FileField(blank=True, help_text='NPZ: a table of each extractor, one row per kept segment.', upload_to=pipeline.files.server_made_name),
        ),
    ]
