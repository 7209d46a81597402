"""From images to how far a kind of GAN, or a VAE, depends on its settings."""
