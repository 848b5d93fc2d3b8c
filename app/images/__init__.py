"""Container images of Noria and of its service, and the registries that hold them."""
