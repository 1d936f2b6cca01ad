import prettier from 'eslint-config-prettier';
import a11y from 'eslint-plugin-jsx-a11y';
import hooks from 'eslint-plugin-react-hooks';
import ts from 'typescript-eslint';

export default ts.config(...ts.configs.strict, a11y.flatConfigs.recommended, prettier, {
  plugins: { 'react-hooks': hooks },
  rules: {
    ...hooks.configs.recommended.rules,
    '@typescript-eslint/consistent-type-imports': 'error',
    // JupyterLab's own pattern: an interface and a token of one name
    '@typescript-eslint/no-redeclare': 'off',
    // JupyterLab's own pattern: a class and a namespace with its options
    '@typescript-eslint/no-namespace': 'off',
    curly: ['error', 'all'],
    eqeqeq: 'error',
    'prefer-arrow-callback': 'error',
    // `display: grid` takes the roles from a table
    'jsx-a11y/no-interactive-element-to-noninteractive-role': ['error', { td: ['cell'] }],
    // Safari takes the list role from a list without bullets
    'jsx-a11y/no-redundant-roles': ['error', { ul: ['list'] }]
  }
});
