// The question before the end of a key.

import { Question } from '../../parts/Question';
import { type Key, server } from '../../server/calls';
import { queries } from '../../server/queries';

interface RevokeDialogProps {
  target: Key;
  close: () => void;
  revoked: () => void;
}

export function RevokeDialog({ target, close, revoked }: RevokeDialogProps) {
  return (
    <Question
      title={`Revoke “${target.name}”?`}
      action="Revoke"
      act={() => server.revokeKey(target.id)}
      changes={queries.keys.queryKey}
      close={close}
      done={revoked}
    >
      Every request with the key <code>{target.hint}…</code> is refused from that moment on. This cannot be undone.
    </Question>
  );
}
