// The one way in which a string may become markup on this page.

interface TrustedTypes {
  createPolicy(name: string, rules: { createHTML(text: string): string | null }): unknown;
}

/**
 * Mantine writes its style sheets through `innerHTML`. The policy lets such text through only while it holds no `<`:
 * without one it cannot make an element, wherever it lands. Scripts and script addresses are never made from text.
 */
export function guardMarkup(): void {
  const types = (window as { trustedTypes?: TrustedTypes }).trustedTypes;
  types?.createPolicy('default', { createHTML: (text) => (text.includes('<') ? null : text) });
}
