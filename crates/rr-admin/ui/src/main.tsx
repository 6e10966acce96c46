import './shell/styles';

import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './app';
import { client } from './client/client.gen';
import { makeQueryClient } from './server/session';
import { adoptNonce } from './shell/nonce';
import { Defect } from './shell/Defect';
import { cssVariables, theme } from './shell/theme';
import { guardMarkup } from './shell/trusted-types';

guardMarkup();
const nonce = adoptNonce();
client.setConfig({ baseUrl: window.location.origin, credentials: 'same-origin', cache: 'no-store' });

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element with the id "root".');
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={makeQueryClient()}>
        <Defect>
          <App />
        </Defect>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
