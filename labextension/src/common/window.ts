/** What of a long list is drawn: one row after the other, and the height of what is left out between. */
export type Piece =
  | { readonly index: number; readonly gap?: undefined }
  | { readonly gap: number; readonly index?: undefined };

/**
 * The rows that touch the stretch from `top` to `bottom`, one that is kept wherever it lies, and gaps as
 * high as what is not drawn.
 */
export function piecesOf(
  heights: ReadonlyArray<number>,
  top: number,
  bottom: number,
  kept: number | null
): ReadonlyArray<Piece> {
  const pieces: Piece[] = [];
  let at = 0;
  let gap = 0;
  heights.forEach((height, index) => {
    const inSight = at + height >= top && at <= bottom;
    at += height;
    if (!inSight && index !== kept) {
      gap += height;
      return;
    }
    if (gap > 0) {
      pieces.push({ gap });
      gap = 0;
    }
    pieces.push({ index });
  });
  return gap > 0 ? [...pieces, { gap }] : pieces;
}
