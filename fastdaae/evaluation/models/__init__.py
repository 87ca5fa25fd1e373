"""What models do with images: reconstructions of them, classes and filters."""
