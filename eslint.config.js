import js from '@eslint/js'
import jest from 'eslint-plugin-jest'
import rxjs from 'eslint-plugin-rxjs-x'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  globalIgnores(['dist/**', 'dist-*/**', 'docs-api/**', 'coverage/**', 'data/**', 'test/package/**']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, rxjs.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      // Getters such as `subscriber.closed` and variables that a callback moves change between two questions; the rule takes them for constant.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // An index whose presence the line before has established says so with `!`.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Takes casts for needless that the compiler needs, and removes them.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      // `return void done()` says that a callback answers nothing; a class with only a constructor is a record that immer leaves alone.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-extraneous-class': ['error', { allowConstructorOnly: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'no-restricted-syntax': ['error', { selector: 'TSEnumDeclaration', message: 'Write a union of `_tag`s or of string literals.' }],
      // `interface Name extends t.TypeOf<typeof Name> {}` gives what a codec infers a name, by which declarations and errors call it.
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['{test,marbles}/**/*.ts'],
    extends: [jest.configs['flat/recommended']],
    rules: {
      'jest/expect-expect': ['error', { assertFunctionNames: ['expect*', '**.expect*', 'assert*', 'fc.assert', 'marbles'] }],
      'jest/no-standalone-expect': ['error', { additionalTestBlockFunctions: ['marbles'] }],
      'jest/no-disabled-tests': 'error',
      'jest/no-focused-tests': 'error',
    },
  },
  { files: ['**/*.js', '**/*.mjs'], languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } } },
)
