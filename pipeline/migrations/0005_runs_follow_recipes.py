from django.db import migrations, models


class Migration(migrations.Migration):
    """What a recipe says beyond the columns that runs had: its name, normalisation and kernel widths."""

    dependencies = [
        ('pipeline', '0004_features_name_their_extractors'),
    ]

    operations = [
        migrations.AddField(
            model_name='trainingrun',
            name='recipe',
            field=models.CharField(blank=True, help_text='Followed unchanged; empty where anything differs.', max_length=40),
        ),
        migrations.AddField(
            model_name='trainingrun',
            name='normalise_videos',
            field=models.BooleanField(default=False, help_text='Features are standardised within each video, without labels.'),
        ),
        migrations.AddField(
            model_name='trainingrun',
            name='gamma_values',
            field=models.JSONField(blank=True, default=list, help_text='Widths of the RBF kernel, as multiples of 1 / number of features.'),
        ),
    ]
