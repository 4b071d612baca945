"""What the author of a backend needs to prove it: throwaway servers, and the laws every backend must pass."""
