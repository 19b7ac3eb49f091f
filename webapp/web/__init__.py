"""What only HTTP needs: who is asking, forms, pages and what keeps polling them cheap."""
