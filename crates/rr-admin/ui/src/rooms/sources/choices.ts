// What can be chosen for a source, in the words of the panel.

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
