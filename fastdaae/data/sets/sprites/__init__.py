"""Sprites: characters of video games in several poses, of the Liberated Pixel Cup or of Reed et al."""

from fastdaae.data.sets.sprites.characters import load_sprites

__all__ = ["load_sprites"]
