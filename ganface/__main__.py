"""`python -m ganface`."""

if __name__ == "__main__":  # worker processes, which import this as well, need no commands
    from ganface.cli.main import main

    main()
