// The panel's look, as far as Mantine needs to know it. Sizes and surfaces of our own are in base.css.

import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const ripple: MantineColorsTuple = [
  '#edf8f9', '#d8eef0', '#aedce1', '#81cad2', '#58b9c4', '#39a6b3', '#1f8f9c', '#0f7a87', '#0a626d', '#064a53',
];

const dark: MantineColorsTuple = [
  '#dbe4e7', '#b9c6ca', '#93a3a8', '#647479', '#435157', '#2d383d', '#20292d', '#171e21', '#11171a', '#0b1012',
];

const gray: MantineColorsTuple = [
  '#f7f9fa', '#eff3f4', '#e3e9eb', '#d3dcdf', '#b9c5c9', '#94a3a8', '#6d7d83', '#52626a', '#35434a', '#1c272c',
];

export const theme = createTheme({
  colors: { ripple, dark, gray },
  primaryColor: 'ripple',
  primaryShade: 7,
  fontFamily:
    "Inter, ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Liberation Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  defaultRadius: 'md',
  radius: { md: '0.5rem' },
  cursorType: 'pointer',
  respectReducedMotion: true,
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-text': '#17242a',
    '--mantine-color-dimmed': '#52626a',
    '--mantine-color-error': '#b4232a',
  },
  dark: { '--mantine-color-dimmed': '#93a3a8', '--mantine-color-error': '#ff8f8f' },
});
