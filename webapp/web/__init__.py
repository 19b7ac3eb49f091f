"""What only HTTP needs: sign-in, forms, pages, idempotency, and what keeps polling cheap."""
