"""Pages of the installation itself: home, accounts, people, the demonstration."""
