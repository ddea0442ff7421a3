"""`manage.py draw_practice`: the images that raters practise on."""

from typing import Any

from django.core.management.base import BaseCommand

from ratings.services.practice import draw_practice_images


class Command(BaseCommand):
    help = "Draw the ten images that raters practise on. Those that are there already are left alone."

    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        count = draw_practice_images()
        if count:
            self.stdout.write(f"{count} images to practise on were drawn.")
