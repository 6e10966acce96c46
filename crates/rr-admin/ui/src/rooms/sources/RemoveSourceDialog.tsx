// The question before the end of a source.

import { Question } from '../../parts/Question';
import { type Source, server } from '../../server/calls';
import { queries } from '../../server/queries';

interface RemoveSourceDialogProps {
  source: Source;
  close: () => void;
  removed: () => void;
}

export function RemoveSourceDialog({ source, close, removed }: RemoveSourceDialogProps) {
  return (
    <Question
      title={`Remove the source “${source.name}”?`}
      action="Remove"
      act={() => server.removeSource(source.name)}
      changes={queries.sources.queryKey}
      close={close}
      done={removed}
    >
      Its secrets are forgotten and what comes to <code>/api/devops/webhook/{source.name}</code> is refused from that
      moment on. Its events stay for as many days as those of the default source.
    </Question>
  );
}
