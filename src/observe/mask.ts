/** Userinfo, and the values of a query (signatures, tokens, policies): what a URL may carry that no log should. */
const USERINFO = /(\bhttps?:\/\/)[^/?#@\s]+@/gi;
const QUERY = /\?[^\s;]+(?:;[^\s;]+=[^\s;]*)*/g;

/** A text with the secrets of all URLs in it masked; what is no secret stays readable. */
export const maskUrl = (text: string): string => text.replace(USERINFO, '$1***@').replace(QUERY, '?***');
