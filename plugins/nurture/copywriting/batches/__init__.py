"""Copy at half price: requests handed to a vendor's batch API, waited for without a worker, and never paid for twice."""
