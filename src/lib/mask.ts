/** Userinfo, the values of a query, and signatures wherever they stand: what a URL may carry that no log should. */
const USERINFO = /(\bhttps?:\/\/)[^/?#@\s]+@/gi;
const QUERY = /\?\S*[^\s;]/g;
const SIGNATURE = /([;&](?:policy|signature)=)[^\s;&]+/gi;

/** A text with the secrets of all URLs in it masked; what is no secret stays readable. */
export const maskUrl = (text: string): string =>
  text.replace(USERINFO, '$1***@').replace(QUERY, '?***').replace(SIGNATURE, '$1***');
