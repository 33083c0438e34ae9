"""The two-way transformer of the mask decoder (Kirillov et al. 2023, appendix A)."""

from __future__ import annotations

from torch import Tensor, nn

from src_model.nn.attention import Attention
from src_model.nn.layers import Mlp, flatten_map


class TwoWayBlock(nn.Module):
    """Tokens attend to themselves and to the image, then the image attends to the tokens.

    Parameters
    ----------
    width
        Channels of tokens and image.
    num_heads
        Heads of each attention.
    mlp_width
        Hidden width of the token MLP.
    is_first
        The first block's self-attention has neither position encoding nor shortcut.
    """

    def __init__(self, width: int, num_heads: int, mlp_width: int, *, is_first: bool) -> None:
        super().__init__()
        self.is_first = is_first
        self.self_attn = Attention(width, num_heads)
        self.norm1 = nn.LayerNorm(width)
        # Attention to the image is the costly one, so that it works at half the width (SAM, appendix A).
        self.cross_attn_token_to_image = Attention(width, num_heads, inner_width=width // 2)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, mlp_width, width)
        self.norm3 = nn.LayerNorm(width)
        self.norm4 = nn.LayerNorm(width)
        self.cross_attn_image_to_token = Attention(width, num_heads, inner_width=width // 2)

    def forward(self, tokens: Tensor, image: Tensor, token_pe: Tensor, image_pe: Tensor) -> tuple[Tensor, Tensor]:
        """Update ``(B, N, C)`` tokens and ``(B, H * W, C)`` image tokens."""
        if self.is_first:  # the tokens are still their own position encoding, which would count twice
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            placed = tokens + token_pe
            tokens = tokens + self.self_attn(placed, placed, tokens)
        tokens = self.norm1(tokens)
        placed_image = image + image_pe
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + token_pe, placed_image, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        image = self.norm4(image + self.cross_attn_image_to_token(placed_image, tokens + token_pe, tokens))
        return tokens, image


class TwoWayTransformer(nn.Module):
    """A stack of two-way blocks and a last attention of the tokens to the image."""

    def __init__(self, depth: int, width: int, num_heads: int, mlp_width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            TwoWayBlock(width, num_heads, mlp_width, is_first=index == 0) for index in range(depth)
        )
        self.final_attn_token_to_image = Attention(width, num_heads, inner_width=width // 2)
        self.norm_final_attn = nn.LayerNorm(width)

    def forward(self, image: Tensor, image_pe: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Run the transformer.

        Parameters
        ----------
        image
            ``(B, C, H, W)`` image embedding plus dense prompt.
        image_pe
            ``(1, C, H, W)`` position encoding.
        tokens
            ``(B, N, C)`` output tokens followed by prompt tokens; also their own position encoding.

        Returns
        -------
        tuple of Tensor
            Tokens ``(B, N, C)`` and image tokens ``(B, H * W, C)``.
        """
        pixels, positions, state = flatten_map(image), flatten_map(image_pe), tokens
        for layer in self.layers:
            state, pixels = layer(state, pixels, tokens, positions)
        attended = self.final_attn_token_to_image(state + tokens, pixels + positions, pixels)
        return self.norm_final_attn(state + attended), pixels
