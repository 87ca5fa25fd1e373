"""What codes are worth: classification, attributes, retrieval and clustering of them."""
