"""`python -m pixsent_tf` is `pixsent-tf`."""

from pixsent_tf.cli import main

if __name__ == "__main__":
    main()
