"""The parts of a reproduction's page: what result.json holds, tables and charts of it, and pictures of its models."""
