// @ts-check
// A picture from the server, decoded.

import { Failure } from "./failure.js";
import { TEXT } from "./strings.js";

export async function fetchBitmap(url) {
  const response = await fetch(url).catch(() => null);
  if (!response) throw new Failure(TEXT.offline, "Offline");
  if (!response.ok) throw new Failure(TEXT.notFetched(response.status), "ImageError");
  try {
    return await createImageBitmap(await response.blob());
  } catch {
    throw new Failure(TEXT.notShown, "ImageError");
  }
}
