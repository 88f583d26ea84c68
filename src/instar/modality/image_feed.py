"""The torch side of images."""

from instar.modality.base import Feed
from instar.modality.image_previews import previews
from instar.prepare.images import example_images, open_images, prepare_images

FEED = Feed(prepare=prepare_images, open=open_images, examples=example_images, previews=previews)
