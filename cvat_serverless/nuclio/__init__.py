"""What goes into the images of the two Nuclio functions, beside this package itself; see ``deploy.sh``."""
