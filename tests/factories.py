"""One factory for each model that tests make by hand."""

import hashlib
import uuid

import factory
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from factory.django import DjangoModelFactory

from accounts.models import User
from ratings.models import Dataset, Image

PASSWORD = "correct horse battery staple"


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    email = factory.LazyAttribute(lambda o: f"{o.username}@example.org")
    password = factory.LazyFunction(lambda: make_password(PASSWORD))

    @factory.post_generation
    def verified(self, create, extracted, **kwargs):
        if create and extracted is not False:
            EmailAddress.objects.create(user=self, email=self.email, verified=True, primary=True)


class DatasetFactory(DjangoModelFactory):
    class Meta:
        model = Dataset

    slug = factory.Sequence(lambda n: f"dataset-{n}")
    name = factory.LazyAttribute(lambda o: o.slug.replace("-", " ").title())
    licence = "CC0-1.0"


class ImageFactory(DjangoModelFactory):
    class Meta:
        model = Image

    dataset = factory.SubFactory(DatasetFactory)
    id = factory.LazyFunction(uuid.uuid4)
    source_id = factory.LazyAttribute(lambda o: str(o.id))
    sha256 = factory.LazyAttribute(lambda o: hashlib.sha256(o.id.bytes).hexdigest())
    sampling_key = factory.LazyAttribute(
        lambda o: int.from_bytes(hashlib.sha256(o.id.bytes).digest()[:4], "big", signed=True)
    )
    width = 768
    height = 768
    mime = "image/webp"

    @factory.post_generation
    def counted(self, create, extracted, **kwargs):
        if create:
            Dataset.objects.filter(pk=self.dataset_id).update(image_count=factory_count(self.dataset_id))


def factory_count(dataset_id) -> int:
    return Image.objects.filter(dataset_id=dataset_id).count()


def make_images(dataset: Dataset, count: int, **fields) -> list[Image]:
    """Make images of one dataset in two statements."""
    images = Image.objects.bulk_create(ImageFactory.build_batch(count, dataset=dataset, **fields))
    Dataset.objects.filter(pk=dataset.pk).update(image_count=factory_count(dataset.pk))
    return images
