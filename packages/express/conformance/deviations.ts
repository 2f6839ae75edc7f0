/** Tests that do not pass. The documentation lists them with the reasons; nothing else may fail, and each of these does. */
export const deviations: readonly string[] = [
  '304-etag-update-response-Set-Cookie',
  'age-parse-prefix',
  'conditional-lm-fresh-no-lm',
  'headers-store-Set-Cookie',
  'method-POST',
  'other-set-cookie',
  'partial-store-partial-complete',
  'partial-store-partial-reuse-partial',
  'partial-store-partial-reuse-partial-absent',
  'partial-store-partial-reuse-partial-byterange',
  'partial-store-partial-reuse-partial-suffix',
  'stale-close-must-revalidate',
  'stale-close-no-cache',
  'stale-close-proxy-revalidate',
  'stale-close-s-maxage=2',
  'vary-normalise-lang-order',
]
