// What can be chosen for a source, in the words of the panel.

import type { Key } from '../../server/calls';

/** The source of whatever comes with a key of no other one. It is bound to no key and cannot be removed. */
export const DEFAULT_SOURCE = 'default';

export const MEBIBYTE = 1 << 20;

export const FORMATS = [
  { value: 'auto', label: 'Any, told by content' },
  { value: 'free', label: 'Any JSON object' },
  { value: 'cloudevents', label: 'CloudEvents' },
  { value: 'cdevents', label: 'CDEvents' },
  { value: 'github', label: 'GitHub' },
  { value: 'gitlab', label: 'GitLab' },
  { value: 'alertmanager', label: 'Alertmanager' },
  { value: 'pagerduty', label: 'PagerDuty' },
  { value: 'argocd', label: 'Argo CD' },
  { value: 'standard', label: 'Standard Webhooks' },
];

/** The keys that may send events now, and the one that is chosen already, whatever became of it. */
export function keyChoices(keys: Key[], chosen: string): { value: string; label: string }[] {
  const able = keys.filter((key) => key.status === 'active' && key.permissions.includes('write_webhooks'));
  const choices = able.map((key) => ({ value: key.id, label: `${key.name} (${key.hint}…)` }));
  if (chosen !== '' && !able.some((key) => key.id === chosen)) {
    const other = keys.find((key) => key.id === chosen);
    choices.unshift({ value: chosen, label: other ? `${other.name} (${other.status})` : chosen });
  }
  return [{ value: '', label: 'Any key of no other source' }, ...choices];
}
