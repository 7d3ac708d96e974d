"""Columns in which a job shows how far it is, and how often its process was lost."""

from django.db import models


class Progress(models.Model):
    """Where a job stands, kept in the database so that pages and commands can show it while it runs."""

    progress_what = models.CharField(max_length=80, blank=True)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def progress_percent(self) -> int | None:
        """Whole per cent done, or None while the total is not known."""
        if not self.progress_total:
            return None
        return min(100, 100 * self.progress_done // self.progress_total)

    def show_progress(self, what: str, done: int = 0, total: int = 0) -> None:
        """Write the progress without touching any other column (a job's state may be changed elsewhere meanwhile)."""
        self.progress_what, self.progress_done, self.progress_total = what, done, total
        type(self)._default_manager.filter(pk=self.pk).update(
            progress_what=what, progress_done=done, progress_total=total
        )


class Endings(models.Model):
    """How often the work on the present stage ended before it was done, however many tries it had."""

    deaths = models.PositiveSmallIntegerField(
        default=0, help_text="Times the process died at the present stage while the machine lived on."
    )
    interruptions = models.PositiveSmallIntegerField(
        default=0, help_text="Times the machine, or all that could tell, went down at the present stage."
    )

    class Meta:
        abstract = True
